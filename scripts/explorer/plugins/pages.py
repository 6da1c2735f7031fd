"""Pages of the explorer that need more than a table, and how cells of tables are shown."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from datasette import NotFound, Response, hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request
from markupsafe import Markup

from scripts.explorer import show
from scripts.explorer.evaluation import read_completion, read_matrix
from scripts.explorer.lineage import read_score
from scripts.explorer.metadata import NAME, read_queries
from scripts.explorer.programs import read_cluster, read_source

Reader = Callable[[Any, str], Awaitable[dict[str, Any] | None]]
# The reader and the parameter of each page; its template has the page's name.
PAGES: dict[str, tuple[Reader, str]] = {
    "source": (read_source, "key"),
    "cluster": (read_cluster, "key"),
    "matrix": (read_matrix, "task"),
    "completion": (read_completion, "key"),
    "score": (read_score, "key"),
}
_PAGE = re.compile(rf"/-/({'|'.join(PAGES)})\?(\w+)=(.*)", re.DOTALL)
# Columns of tables that link to the page of the row.
LINKED = {
    ("sources", "path"): "source",
    ("clusters", "members"): "cluster",
    ("completions", "sample"): "completion",
    ("scores", "value"): "score",
}


def address(page: str, key: str) -> str:
    """The address of the page about a row."""
    return f"/-/{page}?{PAGES[page][1]}={quote(key, safe='/')}"


@hookimpl
def register_routes() -> list[tuple[str, Callable[..., Awaitable[Response]]]]:
    """The pages, by regular expressions of their paths."""

    def view(name: str, reader: Reader, parameter: str) -> Callable[..., Awaitable[Response]]:
        async def page(request: Request, datasette: Datasette) -> Response:
            key = request.args.get(parameter) or ""
            values = await reader(datasette.get_database(NAME), key)
            if values is None:
                raise NotFound(f"the run has no {name} with the {parameter} '{show.visible(key)}'")
            return Response.html(await datasette.render_template(f"{name}.html", values, request=request))

        return page

    return [(rf"^/-/{name}$", view(name, *entry)) for name, entry in PAGES.items()]


@hookimpl
def extra_template_vars() -> dict[str, Any]:
    """Functions for all templates."""
    return {
        "address": address,
        "code": show.code,
        "visible": show.visible,
        "code_styles": show.styles,
        "questions": read_queries(),
        "run_database": NAME,
    }


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None) -> Markup | None:
    """A cell of a table or query; None leaves it to datasette."""
    if column == "page" and table is None and isinstance(value, str) and (match := _PAGE.fullmatch(value)):
        return Markup('<a href="{}">open</a>').format(address(match[1], match[3]))
    page = LINKED.get((table or "", column))
    if page and value is not None:
        return Markup('<a href="{}">{}</a>').format(address(page, row["key"]), show.visible(str(value)))
    return show.cell(value) if isinstance(value, str) else None
