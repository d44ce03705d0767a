"""scikit-learn's tests need scikit-learn; without it there is nothing to run here."""

import pytest

pytest.importorskip("sklearn")
