"""Token files: who may read one besides us."""

import os
import stat
from pathlib import Path

import pytest

from ambient_core.errors import SetupError
from ambient_core.identity import DEVELOPER, TokenFiles, open_to_others

US, OUR_GROUP, OTHER_GROUP, ROOT = 1001, 1001, 2000, 0


def entry(mode: int, owner: int, group: int) -> os.stat_result:
    return os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, group, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "owner", "group", "refused"),
    [
        (0o600, US, OUR_GROUP, False),
        (0o400, US, OUR_GROUP, False),
        (0o640, US, OUR_GROUP, True),
        (0o604, US, OUR_GROUP, True),
        # What a kubelet makes of a Secret with defaultMode 0400 in a pod with fsGroup.
        (0o440, ROOT, OUR_GROUP, False),
        (0o640, ROOT, OUR_GROUP, False),
        (0o440, ROOT, OTHER_GROUP, True),
        (0o460, ROOT, OUR_GROUP, True),
        (0o444, ROOT, OUR_GROUP, True),
    ],
)
def test_a_secret_file_is_ours_alone_or_mounted_for_our_group(mode: int, owner: int, group: int, refused: bool) -> None:
    assert open_to_others(entry(mode, owner, group), US, {OUR_GROUP, 3000}) is refused


def test_a_file_of_our_own_that_a_group_reads_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret-of-somebody")
    path.chmod(0o640)
    with pytest.raises(SetupError, match=f"{path} may be read by others; run: chmod 600"):
        TokenFiles({DEVELOPER: path})
    path.chmod(0o600)
    assert TokenFiles({DEVELOPER: path}).authenticate("secret-of-somebody") == DEVELOPER
