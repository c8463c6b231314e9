"""What the decoders' processes import."""

import subprocess
import sys


def test_the_package_can_be_imported_without_torch() -> None:
    script = "import sys, service.images, service.images.labels; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
