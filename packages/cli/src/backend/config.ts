/** The part of the Node runtime that reads configuration; a module of its own so that it is loaded when it is needed. */
export { ConfigFileInvalid, isModule, loadManifest, loadSettings, makeStateFolder } from "@signalbox/node"
