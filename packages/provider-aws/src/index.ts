/// <reference types="node" preserve="true" />
/**
 * The plug-in for AWS.
 */
export { aws, aws as default, type AwsPluginOptions, cloudformation } from "./plugin.ts"
export { Properties as CloudFormationProperties } from "./cloudformation/Properties.ts"
