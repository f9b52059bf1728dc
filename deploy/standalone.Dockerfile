# The app without the Functions host: no shell, no root. HTTP functions and
# orchestrations work; queue, timer and other triggers of your own need the host.
#
#   docker build -f deploy/standalone.Dockerfile -t myapp .
#   docker run -p 8080:8080 -e AzureWebJobsStorage=... -e TaskHub=GoHub -e DURABLE_FUNCTION_KEY=... myapp
ARG GO_VERSION=1.26

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
ARG TARGETARCH=amd64
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go run github.com/durable-go/functions/cmd/durable pack --arch ${TARGETARCH} --out /package

# Certificates and a user that is not root, and nothing else.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /package /app
WORKDIR /app
ENV FUNCTIONS_APP_ROOT_PATH=/app \
    DURABLE_STANDALONE=0.0.0.0:8080
USER nonroot
EXPOSE 8080
# GET /healthz: the process serves. GET /readyz: the task hub is there.
ENTRYPOINT ["/app/bin/handler"]
