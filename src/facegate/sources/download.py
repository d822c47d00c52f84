"""CelebA by torchvision's own downloader, the one set of the field that can be had without a signature.

It checks every file against its MD5 and fetches what is missing, so a download that was interrupted goes on. It lies
on a file host that turns many away and that not every network reaches: then the message says what to do by hand.
"""

from pathlib import Path

from facegate.errors import MissingExtraError, SourceError
from facegate.sources.ledger import terms

FOLDER = "celeba"
"""torchvision's own name for the folder; the loader reads its flat layout."""


def download_celeba(root: Path) -> None:
    """Bring CelebA into `root`; files that are there already with the right MD5 are left as they are.

    Raises:
        MissingExtraError: the package that torchvision downloads with is missing.
        SourceError: `root` is not named as torchvision names it, or the host could not be reached or refused.
    """
    if root.name != FOLDER:
        raise SourceError(
            f"{root}: torchvision downloads into a folder named `{FOLDER}` only",
            f"set `data.field.root` to a folder of that name, or leave it empty for data/external/{FOLDER}",
        )
    try:
        from torchvision.datasets import CelebA

        print(f"CelebA: {terms(FOLDER).licence}; {terms(FOLDER).access}")
        root.parent.mkdir(parents=True, exist_ok=True)
        CelebA(str(root.parent), split="all", target_type="identity", download=True)
    except ImportError as error:
        raise MissingExtraError(
            f"downloading CelebA needs a package: {error}", "pip install gdown"
        ) from error
    except Exception as error:  # gdown, requests and torchvision raise what they like
        if "gdown" in str(error) and "install" in str(error):
            raise MissingExtraError("torchvision downloads CelebA with gdown", "pip install gdown") from error
        raise SourceError(
            f"CelebA could not be downloaded: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            f"run again later (finished files are kept), or put the files into {root} by hand as "
            f"docs/datasets/{FOLDER}.md says; access: {terms(FOLDER).access}",
        ) from error
