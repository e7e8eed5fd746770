#!/bin/bash
# test-busy-host.sh - one scenario of scenarios.sh that takes all processors, and so is run alone.
# SPDX-License-Identifier: Apache-2.0
exec "$(dirname "$0")/test-scenarios.sh" busy-host
