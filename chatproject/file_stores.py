"""Where files are kept: below MEDIA_ROOT, or with Cloudinary. Part of the settings."""

Stores = dict[str, dict[str, str]]

LOCAL: Stores = {
    "attachments": {"BACKEND": "core.storage.local.LocalAttachments"},
    "avatars": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
}

# django-cloudinary-storage is not among the apps: its command `deleteorphanedmedia` takes for orphans what no FileField
# names.
CLOUDINARY: Stores = {
    "attachments": {"BACKEND": "core.storage.cloudinary.CloudinaryAttachments"},
    "avatars": {"BACKEND": "core.storage.cloudinary.CloudinaryAvatars"},
}
