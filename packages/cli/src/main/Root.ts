/**
 * The root command with the flags that every command has.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { EnvironmentName } from "@signalbox/core/spi"

export const root = Command.make("signalbox").pipe(
  Command.withDescription("Deploy, monitor and roll back, one deployment at a time"),
  Command.withSharedFlags({
    json: Flag.Boolean("json").pipe(
      Flag.withoutNegation,
      Flag.withDefault(false),
      Flag.withDescription("Print JSON: one object, or one per line when streaming")
    ),
    environment: Flag.String("environment").pipe(
      Flag.withAlias("e"),
      Flag.withSchema(EnvironmentName),
      Flag.optional,
      Flag.withMetavar("name"),
      Flag.withDescription("Environment to work in (SIGNALBOX_ENVIRONMENT)")
    ),
    region: Flag.String("region").pipe(
      Flag.optional,
      Flag.withMetavar("name"),
      Flag.withDescription("Region, if the environment does not set one (SIGNALBOX_REGION)")
    ),
    config: Flag.String("config").pipe(
      Flag.optional,
      Flag.withMetavar("file"),
      Flag.withDescription("Configuration file (SIGNALBOX_CONFIG); by default found in this folder or above it")
    ),
    directory: Flag.String("directory").pipe(
      Flag.optional,
      Flag.withMetavar("folder"),
      Flag.withDescription("Folder that contains the state, .signalbox/ (SIGNALBOX_DIRECTORY)")
    ),
    color: Flag.Boolean("color").pipe(
      Flag.optional,
      Flag.withDescription("Use colour, or none with --no-color; by default if the stream is a terminal")
    )
  })
)
