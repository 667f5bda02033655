/** The part of the Node runtime that reads configuration; a separate module, so that it is loaded on demand. */
export {
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
