import type { StackRef } from "@signalbox/core/spi"

/** The tag with the stack that a resource belongs to. */
export const stackKey = "signalbox:stack"

/** What it says of a stack. */
export const stackIn = ({ deploymentId, environment, stack }: StackRef): string =>
  [deploymentId, environment, stack].join("/")
