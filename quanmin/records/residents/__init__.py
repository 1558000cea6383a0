"""Who is who (the resident index): the same person found across senders, with the evidence of every join.

`link` turns distinct identities into residents; `residents` makes one row of each; `normalise` shows what is compared;
`files.link_files` does the same on bare files with a model of the user's own. How pairs are judged is data: catalog/linkage/*.toml.
"""

from quanmin.records.residents.golden import residents
from quanmin.records.residents.index import Linked, link, normalise
from quanmin.records.residents.model_file import LinkModel, load_model

__all__ = ["LinkModel", "Linked", "link", "load_model", "normalise", "residents"]
