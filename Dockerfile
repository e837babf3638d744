# --- Build: everything that needs a compiler or header files stays in this stage ---
# glibc, not Alpine's musl: some wheels exist for glibc only.
FROM python:3.11-slim-bookworm AS build

RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev pkg-config default-libmysqlclient-dev \
    && rm -rf /var/lib/apt/lists/*

RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

# --- Run ---
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin chat

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8080

COPY --from=build /venv /venv
WORKDIR /app
COPY . .

# Settings refuse to start without secrets; these two live for this step only and are in no layer.
RUN SECRET_KEY=only-while-static-files-are-collected JWT_SIGNING_KEY=only-while-static-files-are-collected \
    python manage.py collectstatic --noinput --verbosity 0

# A volume that is mounted here takes its owner over.
RUN install --directory --owner=chat --mode=700 media

USER chat
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health/live', timeout=2)"]
CMD ["python", "-m", "chatproject.serve"]
