/// <reference types="node" preserve="true" />
/**
 * The plug-in for AWS.
 */
export { alb, autoScaling, aws, aws as default, type AwsPluginOptions, cloudformation } from "./plugin.ts"
export { Properties as AlbProperties } from "./alb/Properties.ts"
export { Properties as AsgProperties } from "./asg/Properties.ts"
export { Properties as CloudFormationProperties } from "./cloudformation/Properties.ts"
