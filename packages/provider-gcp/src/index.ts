/// <reference types="node" preserve="true" />
/**
 * The plug-in for Google Cloud.
 */
export { cloudRun, cloudRunJob, firebaseHosting, gcp, gcp as default, type GcpPluginOptions } from "./plugin.ts"
export { Properties as CloudRunProperties } from "./cloudrun/Properties.ts"
export { JobProperties as CloudRunJobProperties } from "./jobs/JobProperties.ts"
export { SiteProperties as FirebaseHostingProperties } from "./hosting/SiteProperties.ts"
