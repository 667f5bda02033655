/**
 * Configurations: written in TypeScript, validated, and resolved for an environment.
 */
export * as Configuration from "./Configuration.ts"
export {
  type Config,
  type ConfiguredDependency,
  type ConfiguredPlugin,
  type ConfiguredStack,
  defineConfig
} from "./Configuration.ts"
export { ConfigurationInvalid, ConfigurationIssue } from "./ConfigurationIssue.ts"
export { referenceIn } from "./OutputSubstitution.ts"
export { output, type OutputReference, secret, type SecretReference } from "./References.ts"
