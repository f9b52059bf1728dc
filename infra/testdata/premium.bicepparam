using '../main.bicep'

param environmentName = 'test'
param location = 'westeurope'
param plan = 'Premium'
param minimumInstances = 2
param maximumInstances = 200
param vnetEnabled = true
