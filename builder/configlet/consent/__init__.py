"""What an approval is: a value that names one plan, is compared, and ends. Where there is none, the answer is no."""

from configlet.consent.approval import FORMAT, HOURS, Approval, Signed, approve, message
from configlet.consent.files import beside, from_json, principals, to_json
from configlet.consent.judge import objection, same_person

__all__ = [
    "FORMAT",
    "HOURS",
    "Approval",
    "Signed",
    "approve",
    "beside",
    "from_json",
    "message",
    "objection",
    "principals",
    "same_person",
    "to_json",
]
