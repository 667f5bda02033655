/// <reference types="node" preserve="true" />
/**
 * The plug-in for AWS.
 */
export { alb, autoScaling, aws, aws as default, type AwsPluginOptions, cloudformation } from "./plugin.ts"
export { AlbProperties } from "./alb/AlbProperties.ts"
export { AsgProperties } from "./asg/AsgProperties.ts"
export { Properties as CloudFormationProperties } from "./cloudformation/Properties.ts"
