using '../main.bicep'

param environmentName = 'test'
param location = 'westeurope'
param plan = 'Dedicated'
param planSku = 'P1v3'
param minimumInstances = 3
param taskHubName = 'OtherHub'
