// Package infra holds the template of what an app needs in Azure, for "durable init".
package infra

import "embed"

// Files has the sources of the template and its parameters.
//
//go:embed main.bicep main.parameters.json bicepconfig.json modules/*.bicep
var Files embed.FS
