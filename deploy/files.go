// Package deploy holds the examples of pipelines, for "durable init".
package deploy

import "embed"

// Files has github-actions.yml and azure-pipelines.yml.
//
//go:embed github-actions.yml azure-pipelines.yml
var Files embed.FS
