// A Function App for this repository, with everything it needs: storage, an
// identity, telemetry, and a virtual network if asked for. No key is used anywhere.
// docs/deployment.md explains the parameters.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Name of the environment; part of the names of all resources.')
param environmentName string

@minLength(1)
@description('Region of all resources. Flex Consumption is not in every region: az functionapp list-flexconsumption-locations.')
param location string

@description('Name of the resource group; empty: rg- and the name of the environment.')
param resourceGroupName string = ''

@allowed(['FlexConsumption', 'Premium', 'Dedicated'])
@description('The hosting plan.')
param plan string = 'FlexConsumption'

@description('SKU of a Premium plan (EP1, EP2, EP3) or of a Dedicated plan (such as B1, P0v3, P1v3); empty: EP1 or P0v3. Flex Consumption has only FC1.')
param planSku string = ''

@minLength(3)
@maxLength(45)
@description('Task hub: a letter, then 2 to 44 letters or digits. Overrides hubName in host.json.')
param taskHubName string = 'GoHub'

@description('Instances that are always there. Flex Consumption: for each function or group, such as [{ name: \'http\', instanceCount: 1 }, { name: \'function:Orchestrator\', instanceCount: 1 }].')
param alwaysReady alwaysReadyInstances[] = []

@minValue(1)
@maxValue(20)
@description('Instances that are always there on a Premium plan, and all instances of a Dedicated plan.')
param minimumInstances int = 1

@minValue(1)
@maxValue(1000)
@description('The most instances that the app is scaled out to. Flex Consumption: for each function or group. At most 100 on a Premium plan; a Dedicated plan has minimumInstances.')
param maximumInstances int = 100

@allowed([512, 2048, 4096])
@description('Memory of an instance of Flex Consumption, in MB.')
param instanceMemory int = 2048

@description('Puts the app into a virtual network and closes the storage account to all but private endpoints in it.')
param vnetEnabled bool = false

@description('Who deploys: gets the roles to read the task hub and to upload packages. Empty: no roles are given.')
param principalId string = ''

@allowed(['User', 'ServicePrincipal', 'Group'])
@description('What principalId is.')
param principalType string = 'User'

@description('An always-ready setting of Flex Consumption.')
type alwaysReadyInstances = {
  @description('http, durable, blob, or function: and the name of a function.')
  name: string

  @minValue(0)
  instanceCount: int
}

var token = toLower(uniqueString(subscription().id, environmentName, location))
var identityName = 'id-${token}'
var storageName = 'st${token}'
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { name: identityName, location: location, tags: tags }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    delegation: plan == 'FlexConsumption' ? 'Microsoft.App/environments' : 'Microsoft.Web/serverFarms'
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: storageName
    location: location
    tags: tags
    public: !vnetEnabled
    appPrincipalId: identity.outputs.principalId
    deployerPrincipalId: principalId
    deployerPrincipalType: principalType
  }
}

module endpoints 'modules/endpoints.bicep' = if (vnetEnabled) {
  scope: group
  params: {
    location: location
    tags: tags
    storageName: storageName
    vnetId: network!.outputs.id
    subnetId: network!.outputs.endpointsSubnetId
  }
  dependsOn: [storage]
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
  }
}

module app 'modules/app.bicep' = {
  scope: group
  params: {
    name: 'func-${token}'
    location: location
    tags: tags
    plan: plan
    planSku: planSku
    taskHubName: taskHubName
    alwaysReady: alwaysReady
    minimumInstances: minimumInstances
    maximumInstances: maximumInstances
    instanceMemory: instanceMemory
    identityName: identityName
    storageName: storageName
    packages: storage.outputs.packages
    insightsName: monitoring.outputs.name
    vnetEnabled: vnetEnabled
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
  }
  // The app starts with its storage in reach.
  dependsOn: [endpoints]
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_STORAGE_ACCOUNT string = storage.outputs.name
output SERVICE_API_NAME string = app.outputs.name
output SERVICE_API_URL string = app.outputs.url
output TASK_HUB string = taskHubName
output DASHBOARD_URL string = '${app.outputs.url}/api/durabletask/dashboard'
