"""Where files are kept: below MEDIA_ROOT, or with Cloudinary. Only here is it known which."""
