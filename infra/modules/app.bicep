// The plan and the Function App on it.
param name string
param location string
param tags object
param plan string
param planSku string
param taskHubName string
param alwaysReady array
param minimumInstances int
param maximumInstances int
param instanceMemory int
param identityName string
param storageName string

@description('Address of the container with the deployed packages.')
param packages string

param insightsName string

param vnetEnabled bool

@description('Subnet of the app in the virtual network.')
param subnetId string

var flex = plan == 'FlexConsumption'
var premium = plan == 'Premium'
var sku = {
  FlexConsumption: { name: 'FC1', tier: 'FlexConsumption' }
  Premium: { name: empty(planSku) ? 'EP1' : planSku, tier: 'ElasticPremium' }
  Dedicated: { name: empty(planSku) ? 'P0v3' : planSku, capacity: minimumInstances }
}[plan]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = { name: identityName }

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = { name: storageName }

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

// The host and the app read the same settings, and both take the identity's token.
var everywhere = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  AzureWebJobsStorage__blobServiceUri: account.properties.primaryEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: account.properties.primaryEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: account.properties.primaryEndpoints.table
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  TaskHub: taskHubName
  AzureFunctionsJobHost__extensions__durableTask__hubName: taskHubName
}

// Flex Consumption has the runtime in functionAppConfig and refuses these settings.
var runtime = flex
  ? {}
  : {
      FUNCTIONS_EXTENSION_VERSION: '~4'
      FUNCTIONS_WORKER_RUNTIME: 'custom'
    }

// A Premium plan would keep the files of the app on a share that only a key opens. So
// the app reads its package from a blob, with its identity.
var package = flex
  ? {}
  : premium
      ? {
          WEBSITE_RUN_FROM_PACKAGE: '${packages}/app.zip'
          WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: identity.id
        }
      : {
          WEBSITE_RUN_FROM_PACKAGE: '1'
        }

resource server 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: premium ? 'elastic' : flex ? 'functionapp' : 'linux'
  sku: sku
  properties: {
    reserved: true
    maximumElasticWorkerCount: premium ? min(maximumInstances, 100) : null
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: server.id
    httpsOnly: true
    keyVaultReferenceIdentity: identity.id
    virtualNetworkSubnetId: vnetEnabled ? subnetId : null
    vnetRouteAllEnabled: vnetEnabled && !flex ? true : null
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      alwaysOn: flex || premium ? null : true
      minimumElasticInstanceCount: premium ? minimumInstances : null
      functionAppScaleLimit: premium ? min(maximumInstances, 100) : null
      // The host itself watches queues that are behind private endpoints.
      functionsRuntimeScaleMonitoringEnabled: premium && vnetEnabled ? true : null
    }
    functionAppConfig: flex
      ? {
          runtime: { name: 'custom', version: '1.0' }
          deployment: {
            storage: {
              type: 'blobContainer'
              value: packages
              authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
            }
          }
          scaleAndConcurrency: {
            alwaysReady: alwaysReady
            maximumInstanceCount: maximumInstances
            instanceMemoryMB: instanceMemory
          }
        }
      : null
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(everywhere, runtime, package)
  }

  // A slot has a task hub of its own: these settings stay when slots are swapped.
  resource slotSettings 'config' = if (!flex) {
    name: 'slotConfigNames'
    properties: {
      appSettingNames: ['TaskHub', 'AzureFunctionsJobHost__extensions__durableTask__hubName']
    }
  }

  // Deployments show an Entra token, not the app's publishing password.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
