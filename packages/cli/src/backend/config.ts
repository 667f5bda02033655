/** The part of the Node runtime that reads configuration; a separate module, so that it is loaded on demand. */
export {
  checkConfig,
  ConfigFileInvalid,
  isModule,
  loadConfig,
  loadPlugins,
  loadSettings,
  makeStateFolder
} from "@signalbox/node"
