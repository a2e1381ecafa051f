"""Templates compiled so that what stands between two tags is one text, with all its values looked at together; and so
that a loop over rows that writes nothing but their values is one call.

Jinja hands over each value by itself, which for a list of 100,000 lines is a million times. What a template means is the
same (``Environment.code_generator_class`` in Jinja's documentation of its API).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from keyword import iskeyword

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame

from configlet.render.forms import Form, Part, Step


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

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - Jinja's name for it
        """A field of one of our rows without a call; of anything else what the sandbox says."""
        if self.environment.is_async or iskeyword(node.attr):
            super().visit_Getattr(node, frame)
            return
        self.write(f"(row.{node.attr} if {node.attr!r} in environment.fields(type((row := ")
        self.visit(node.node, frame)
        self.write(f")), ()) else environment.getattr(row, {node.attr!r}))")

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 - Jinja's name for it
        """One ``yield`` for a loop that writes nothing but texts and the values of its row."""
        form, fields = _form(node)
        if not form or frame.buffer is not None or frame.require_output_check or frame.eval_ctx.autoescape:
            super().visit_For(node, frame)
            return
        self.writeline(f"yield environment.printed({form!r}, ", node)
        self.visit(node.iter, frame)
        self.write(f", {fields!r})" if fields else ")")


def _form(node: nodes.For) -> tuple[Form | None, tuple[str, ...]]:
    """What a loop writes of each row, where that is texts and values, some of them where another value is there, and it does
    nothing else; None for other loops. Then the fields of the row that the values are, where it is not all of them."""
    if node.else_ or node.test or node.recursive:
        return None, ()
    if isinstance(node.target, nodes.Name):
        return _form_of_fields(node.body, node.target.name)
    return (_form_of_values(node, node.target), ()) if isinstance(node.target, nodes.Tuple) else (None, ())


def _form_of_values(node: nodes.For, target: nodes.Tuple) -> Form | None:
    names = {item.name: at for at, item in enumerate(target.items) if isinstance(item, nodes.Name)}
    steps: list[Step] = []
    for child in node.body:
        if isinstance(child, nodes.If) and isinstance(child.test, nodes.Name) and not child.elif_:
            test, yes, no = names.get(child.test.name), _parts(child.body, names), _parts(child.else_, names)
        else:
            test, yes, no = -1, _parts([child], names), ()
        if test is None or yes is None or no is None:
            return None
        steps.append((test, yes, no))
    return (len(names), tuple(steps)) if len(names) == len(target.items) else None


def _form_of_fields(body: Sequence[nodes.Node], name: str) -> tuple[Form | None, tuple[str, ...]]:
    found = [child for output in body if isinstance(output, nodes.Output) for child in output.nodes]
    fields = tuple(dict.fromkeys(child.attr for child in found if isinstance(child, nodes.Getattr)))
    parts = _parts(body, {field: at for at, field in enumerate(fields)}, name)
    return ((len(fields), ((-1, parts, ()),)), fields) if fields and parts else (None, ())


def _parts(body: Iterable[nodes.Node], names: Mapping[str, int], row: str = "") -> tuple[Part, ...] | None:
    """Texts, and the numbers of the values of a row, which are names, or fields of one; None where something else is written."""
    out: list[Part] = []
    for output in body:
        if not isinstance(output, nodes.Output):
            return None
        for child in output.nodes:
            if isinstance(child, nodes.TemplateData):
                out.append(child.data)
            elif not row and isinstance(child, nodes.Name) and child.name in names:
                out.append(names[child.name])
            elif row and isinstance(child, nodes.Getattr) and isinstance(child.node, nodes.Name) and child.node.name == row:
                out.append(names[child.attr])
            else:
                return None
    return tuple(out)
