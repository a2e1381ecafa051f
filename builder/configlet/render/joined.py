"""Templates compiled so that what stands between two tags is one text, with all its values looked at together; and so
that a loop over rows of which each is one such text is one call.

Jinja hands over each value by itself, which for a list of 100,000 lines is a million times. What a template means is the
same (``Environment.code_generator_class`` in Jinja's documentation of its API).
"""

from __future__ import annotations

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame


class Joined(CodeGenerator):
    """Writes one expression for each stretch of text and values. The environment's ``printable`` looks at the values, and
    its ``printed`` at those of many rows."""

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

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 - Jinja's name for it
        """One ``yield`` for a loop in which each row is a text with the values of the row in their order."""
        form = _row(node)
        if not form or frame.buffer is not None or frame.require_output_check or frame.eval_ctx.autoescape:
            super().visit_For(node, frame)
            return
        self.writeline(f"yield environment.printed({form!r}, ", node)
        self.visit(node.iter, frame)
        self.write(")")


def _row(node: nodes.For) -> tuple[str, ...]:
    """What a loop writes ahead of each value of a row and behind the last, where it writes each once, in order, and does
    nothing else; empty for other loops."""
    if node.else_ or node.test or node.recursive or not isinstance(node.target, nodes.Tuple) or len(node.body) != 1:
        return ()
    (body,) = node.body
    if not isinstance(body, nodes.Output):
        return ()
    names = [item.name if isinstance(item, nodes.Name) else "" for item in node.target.items]
    form, said = [""], list[str]()
    for child in body.nodes:
        if isinstance(child, nodes.TemplateData):
            form[-1] += child.data
        elif isinstance(child, nodes.Name):
            said.append(child.name)
            form.append("")
        else:
            return ()
    return tuple(form) if said == names and len(set(names)) == len(names) else ()
