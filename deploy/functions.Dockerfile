# The app with the Functions host, for Premium and Dedicated plans that run
# containers, Container Apps and Kubernetes: every trigger works.
#
#   docker build -f deploy/functions.Dockerfile -t myapp .
ARG GO_VERSION=1.26

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
ARG TARGETARCH=amd64
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go run github.com/durable-go/functions/cmd/durable pack --arch ${TARGETARCH} --out /package

# The image of .NET is the one for custom handlers. It has no extension bundle: the
# host loads it when it starts, from cdn.functions.azure.com.
FROM mcr.microsoft.com/azure-functions/dotnet:4
ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    FUNCTIONS_WORKER_RUNTIME=custom
COPY --from=build /package /home/site/wwwroot
