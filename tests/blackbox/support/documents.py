"""What stands in the documents, to be tried."""

import re


def code_blocks(document, language):
    """The texts of a Markdown file's blocks in this language."""
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
