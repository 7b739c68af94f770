"""The name that `ByteImages` had before it moved, for models and scripts elsewhere."""

from disent_runner.datasets.images.image_store import ByteImages as ByteImages
