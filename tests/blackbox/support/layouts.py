"""Images as folders in OCI layout, for skopeo."""

import json

from .images import descriptor, digest_of


def write_blob(layout, content):
    path = layout / "blobs" / digest_of(content).replace(":", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def write_layout(folder, manifests):
    """An OCI layout whose index names `manifests`: pairs of descriptor and content."""
    (folder / "blobs").mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    for _, content in manifests:
        write_blob(folder, content)
    (folder / "index.json").write_text(json.dumps({
        "schemaVersion": 2,
        "manifests": [entry for entry, _ in manifests],
    }), encoding="utf-8")
    return f"oci:{folder}"


def write_image(folder, image):
    layout = write_layout(folder, [(descriptor(image.media_type, image.manifest), image.manifest)])
    for blob in image.blobs:
        write_blob(folder, blob)
    return layout
