// paths.h - the folder that the clusters' folders are in, and the clusters in it.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_PATHS_H
#define AIRBUILD_CLUSTER_PATHS_H

char *cluster_parent(void); // AIRBUILD_STATE, else HOME/clusters; caller frees

#endif
