using '../main.bicep'

param environmentName = 'test'
param location = 'westeurope'
param vnetEnabled = true
