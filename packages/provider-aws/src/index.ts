/**
 * The plug-in for AWS.
 */
export { aws, aws as default } from "./plugin.ts"
