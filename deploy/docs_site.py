"""What mkdocs.yml cannot say: pages of the site that are made from files outside docs/.

Pages of docs/ link to some, as readers of the repository want them to; on the site the same links
lead to pages. Writes nothing into docs/. Called by mkdocs (`hooks`).
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parents[1]
TEXTS: Final = {
    "SECURITY.md": "security-policy.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
}
"""File at the root, and its page: names that differ in more than case."""
EXAMPLES: Final = (
    "split_and_verify",
    "register_validators",
    "watch_cluster",
    "one_duty_in_memory",
    "local_network",
)


def example(name: str) -> str:
    """An example as a page: its first sentence, then all of it."""
    source = (ROOT / f"examples/{name}.py").read_text()
    first = (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
    return f"# {name}.py\n\n{first}\n\n```python\n{source}```\n"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages."""
    pages = {page: (ROOT / name).read_text() for name, page in TEXTS.items()}
    pages |= {f"examples/{name}.md": example(name) for name in EXAMPLES}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Points links out of docs/ to these pages, and those of these pages into docs/."""
    if page.file.src_uri in TEXTS.values():
        markdown = markdown.replace("](docs/", "](")
    for name, target in TEXTS.items():
        markdown = re.sub(rf"\]\((?:\.\./)?{re.escape(name)}", f"]({target}", markdown)
    return re.sub(r"\]\(\.\./examples/(\w+)\.py", r"](examples/\1.md", markdown)
