/** The part of the Node runtime that reads configuration; a separate module, so that it is loaded on demand. */
export { Configuration } from "@signalbox/core/config"
export { notificationSetup } from "@signalbox/core/spi"
export {
  ackLinks,
  checkConfig,
  ConfigFileInvalid,
  isBuiltInStore,
  isModule,
  loadConfig,
  loadPlugins,
  loadSettings,
  makeStateFolder,
  metadataIn
} from "@signalbox/node"
