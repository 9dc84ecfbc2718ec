# The image has Node, the built program and its dependencies, nothing else. It runs one command and ends:
#   docker run --rm -v ./holdfast.yaml:/etc/holdfast/holdfast.yaml:ro -v backups:/var/backups holdfast backup
# It runs as the unprivileged user "node" (uid 1000); give `--user` where the files to protect belong to somebody else.

FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
COPY scripts ./scripts
RUN npm ci
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /opt/holdfast
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY bin ./bin
COPY LICENSE ./
RUN ln -s /opt/holdfast/bin/holdfast /usr/local/bin/holdfast \
 && install -d -o node -g node /var/backups/holdfast /var/lib/holdfast
USER node
WORKDIR /var/lib/holdfast
# bin/holdfast replaces itself by Node, which then is process 1 and takes the signals.
ENTRYPOINT ["holdfast"]
CMD ["--help"]
