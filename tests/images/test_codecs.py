"""After warming up, no picture waits for modules to be imported."""

import subprocess
import sys

import pytest

from devtools.serving import picture

FIRST_PICTURE = """
import sys
import torch
from service.images import decode, load_codecs

if {warm}:
    load_codecs()
before = set(sys.modules)
decode(bytes.fromhex({data!r}))
print(len(set(sys.modules) - before))
"""


@pytest.mark.parametrize("warm", [False, True])
def test_a_picture_imports_modules_unless_the_codecs_were_used_before(warm: bool) -> None:
    script = FIRST_PICTURE.format(warm=warm, data=picture().hex())
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (int(done.stdout) == 0) == warm
