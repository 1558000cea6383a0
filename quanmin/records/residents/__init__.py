"""Who is who (the resident index): the same person found across senders, with the evidence of every join.

`link` turns distinct identities into residents, `relink` adds new ones to those linked before; `residents` makes one row of each; `normalise`
shows what is compared; `files.link_files` does the same on bare files with a model of the user's own. How pairs are judged is data:
catalog/linkage/*.toml.
"""

from quanmin.records.residents.golden import residents
from quanmin.records.residents.index import Linked, link, normalise
from quanmin.records.residents.model_file import LinkModel, load_model
from quanmin.records.residents.nearby import Known
from quanmin.records.residents.relink import Relinked, relink

__all__ = ["Known", "LinkModel", "Linked", "Relinked", "link", "load_model", "normalise", "relink", "residents"]
