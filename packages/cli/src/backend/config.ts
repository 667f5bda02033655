/** The part of the Node runtime that reads configuration; a separate module, so that it is loaded on demand. */
export { ConfigFileInvalid, isModule, loadManifest, loadSettings, makeStateFolder } from "@signalbox/node"
