import { layerMemory } from "@signalbox/core/store"
import { DeploymentStoreSuite, LeaseStoreSuite, OutboxSuite } from "@signalbox/core/testing"

DeploymentStoreSuite.suite("memory", layerMemory)
LeaseStoreSuite.suite("memory", layerMemory)
OutboxSuite.suite("memory", layerMemory)
