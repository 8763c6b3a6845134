# The app in a container. It runs on the CPU unless it is given a GPU:
#
#   docker build -t fop-lab .
#   docker run --rm -p 127.0.0.1:8501:8501 -v fop-runs:/data/runs -v fop-sets:/data/sets fop-lab
#
# -p names 127.0.0.1 because the app asks nobody for a password. To reach it by another name, behind a proxy that does ask:
# -e STREAMLIT_SERVER_ALLOWED_HOSTS=that.name. On x86-64 torch brings CUDA along, 6 GB of image; where you have an index with
# smaller builds, --build-arg PIP_ARGS=... hands its options to pip.
#
# scripts/check_dockerfile.sh carries out these lines without a container engine.
FROM python:3.12-slim

RUN useradd --create-home fop

WORKDIR /app
ENV PYTHONUNBUFFERED=1

# What changes seldom comes first: an edit to the code leaves this layer as it is.
ARG PIP_ARGS=""
COPY requirements.txt ./
RUN python -m pip install --no-cache-dir $PIP_ARGS -r requirements.txt

COPY . ./
# A new named volume starts as what lies here: the user's own, with MNIST in it.
COPY data /data/sets
RUN mkdir -p /data/runs && chown -R fop /data

# All interfaces of the container, not of the machine it is on: what reaches it is docker run's -p to say.
ENV STREAMLIT_SERVER_ADDRESS=0.0.0.0 STREAMLIT_SERVER_PORT=8501
ENV FOP_RUNS_DIR=/data/runs FOP_DATA_DIR=/data/sets
VOLUME ["/data/runs", "/data/sets"]
EXPOSE 8501

USER fop
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD python -c "import os, urllib.request as u; u.urlopen('http://127.0.0.1:%s/_stcore/health' % os.environ['STREAMLIT_SERVER_PORT'], timeout=4)"
CMD ["python", "-m", "streamlit", "run", "app.py"]
