#include "coordinator/libraries.h"

#include "common/comm/comm.h"

#include <cblas.h>
#include <csv.h>
#include <hdf5.h>
#include <jansson.h>
#include <nlopt.h>
#include <openssl/crypto.h>
#include <png.h>
#include <protobuf-c/protobuf-c.h>
#include <yaml.h>

void nas_libraries_print(FILE *out)
{
    unsigned hdf5[3] = {0};
    int nlopt[3] = {0};
    (void)H5get_libversion(&hdf5[0], &hdf5[1], &hdf5[2]);
    nlopt_version(&nlopt[0], &nlopt[1], &nlopt[2]);
    (void)fprintf(out, "MPI       %s\n", nas_comm_library());
    (void)fprintf(out, "HDF5      %u.%u.%u\n", hdf5[0], hdf5[1], hdf5[2]);
    (void)fprintf(out, "OpenBLAS  %s\n", openblas_get_config());
    (void)fprintf(out, "NLopt     %d.%d.%d\n", nlopt[0], nlopt[1], nlopt[2]);
    (void)fprintf(out, "libyaml   %s\n", yaml_get_version_string());
    (void)fprintf(out, "libcsv    %d.%d.%d\n", CSV_MAJOR, CSV_MINOR, CSV_RELEASE);
    (void)fprintf(out, "jansson   %s\n", jansson_version_str());
    (void)fprintf(out, "libpng    %s\n", png_get_libpng_ver(NULL));
    (void)fprintf(out, "protobuf  %s (C)\n", protobuf_c_version());
    (void)fprintf(out, "crypto    %s\n", OpenSSL_version(OPENSSL_VERSION));
}
