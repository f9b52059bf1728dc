using '../main.bicep'

param environmentName = 'test'
param location = 'westeurope'
param alwaysReady = [
  { name: 'http', instanceCount: 1 }
  { name: 'function:Orchestrator', instanceCount: 2 }
]
param maximumInstances = 40
param principalId = '11111111-1111-1111-1111-111111111111'
