"""Templates compiled so that what stands between two tags is one text, with all its values looked at together.

Jinja hands over each value by itself, which for a list of 100,000 lines is a million times. What a template means is the
same (``Environment.code_generator_class`` in Jinja's documentation of its API).
"""

from __future__ import annotations

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame


class Joined(CodeGenerator):
    """Writes one expression for each stretch of text and values. The environment's ``printable`` looks at the values."""

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802 - Jinja's name for it
        """One ``yield`` where Jinja has one for each value; in blocks of its own that it gathers, as Jinja does it."""
        values = [child for child in node.nodes if not isinstance(child, nodes.TemplateData)]
        if not values or frame.buffer is not None or frame.require_output_check or frame.eval_ctx.autoescape:
            super().visit_Output(node, frame)
            return
        text = "".join(
            child.data.replace("%", "%%") if isinstance(child, nodes.TemplateData) else "%s" for child in node.nodes
        )
        self.writeline(f"yield {text!r} % environment.printable((", node)
        for value in values:
            self.newline(value)  # so that what goes wrong is at its own line of the template
            self.visit(value, frame)
            self.write(", ")
        self.write("))")
