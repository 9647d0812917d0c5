"""The contract suite of blob stores, which memory and folder pass too, on a real S3."""

import os
import subprocess

import pytest

from support.server import ROOT

SUITE = ROOT / "build/asan/tests/contract/test_blob_store_s3"


def test_s3_passes_the_contract_of_blob_stores(ceph, bucket):
    if not SUITE.exists():
        pytest.skip("not built: cmake --build --preset asan")
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("AWS_") and "proxy" not in name.lower()}
    result = subprocess.run(
        [SUITE], capture_output=True, text=True, check=False, timeout=300,
        env={**environment, **ceph.operator.environment,
             "PIERONE_TEST_S3_ENDPOINT": ceph.endpoint, "PIERONE_TEST_S3_BUCKET": bucket.name})
    assert result.returncode == 0, result.stdout + result.stderr
    assert "SKIPPED" not in result.stderr
    assert "PASSED" in result.stdout + result.stderr
