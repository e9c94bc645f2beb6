/* Counts MPI handles, to be preloaded: those of a kind that this program makes and does not free are
 * said at MPI_Finalize. A request ends in a test that makes it MPI_REQUEST_NULL. */
#include <mpi.h>
#include <stdio.h>

static long n_requests, n_communicators, n_operations, n_types;

static int made(int result, long *count)
{
    *count += result == MPI_SUCCESS;
    return result;
}

static int freed(int result, long *count)
{
    *count -= result == MPI_SUCCESS;
    return result;
}

/* A split gives some ranks no communicator. */
static int made_communicator(int result, MPI_Comm communicator)
{
    return communicator == MPI_COMM_NULL ? result : made(result, &n_communicators);
}

/* ------------------------------------------------------------------------------------- requests */

int MPI_Isend(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    return made(PMPI_Isend(data, count, type, to, tag, comm, request), &n_requests);
}

int MPI_Irecv(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    return made(PMPI_Irecv(data, count, type, from, tag, comm, request), &n_requests);
}

int MPI_Ibcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm,
               MPI_Request *request)
{
    return made(PMPI_Ibcast(data, count, type, root, comm, request), &n_requests);
}

int MPI_Iallgather(const void *from, int n_from, MPI_Datatype from_type, void *to, int n_to,
                   MPI_Datatype to_type, MPI_Comm comm, MPI_Request *request)
{
    return made(PMPI_Iallgather(from, n_from, from_type, to, n_to, to_type, comm, request),
                &n_requests);
}

int MPI_Igather(const void *from, int n_from, MPI_Datatype from_type, void *to, int n_to,
                MPI_Datatype to_type, int root, MPI_Comm comm, MPI_Request *request)
{
    return made(PMPI_Igather(from, n_from, from_type, to, n_to, to_type, root, comm, request),
                &n_requests);
}

int MPI_Iscatter(const void *from, int n_from, MPI_Datatype from_type, void *to, int n_to,
                 MPI_Datatype to_type, int root, MPI_Comm comm, MPI_Request *request)
{
    return made(PMPI_Iscatter(from, n_from, from_type, to, n_to, to_type, root, comm, request),
                &n_requests);
}

int MPI_Ireduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, int root,
                MPI_Comm comm, MPI_Request *request)
{
    return made(PMPI_Ireduce(from, to, count, type, op, root, comm, request), &n_requests);
}

int MPI_Iallreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op,
                   MPI_Comm comm, MPI_Request *request)
{
    return made(PMPI_Iallreduce(from, to, count, type, op, comm, request), &n_requests);
}

int MPI_Test(MPI_Request *request, int *done, MPI_Status *status)
{
    const MPI_Request before = *request;
    const int result = PMPI_Test(request, done, status);
    n_requests -= before != MPI_REQUEST_NULL && *request == MPI_REQUEST_NULL;
    return result;
}

static long count_active(int n, const MPI_Request *request)
{
    long count = 0;
    for (int i = 0; i < n; i++) count += request[i] != MPI_REQUEST_NULL;
    return count;
}

int MPI_Testall(int n, MPI_Request *request, int *done, MPI_Status *status)
{
    const long before = count_active(n, request);
    const int result = PMPI_Testall(n, request, done, status);
    n_requests -= before - count_active(n, request);
    return result;
}

/* -------------------------------------------------------------------------------------- objects */

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *copy)
{
    const int result = PMPI_Comm_dup(comm, copy);
    return made_communicator(result, *copy);
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *part)
{
    const int result = PMPI_Comm_split(comm, color, key, part);
    return made_communicator(result, *part);
}

int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *part)
{
    const int result = PMPI_Comm_split_type(comm, type, key, info, part);
    return made_communicator(result, *part);
}

int MPI_Comm_free(MPI_Comm *comm)
{
    return freed(PMPI_Comm_free(comm), &n_communicators);
}

int MPI_Op_create(MPI_User_function *function, int commutes, MPI_Op *op)
{
    return made(PMPI_Op_create(function, commutes, op), &n_operations);
}

int MPI_Op_free(MPI_Op *op)
{
    return freed(PMPI_Op_free(op), &n_operations);
}

int MPI_Type_contiguous(int count, MPI_Datatype type, MPI_Datatype *made_p)
{
    return made(PMPI_Type_contiguous(count, type, made_p), &n_types);
}

int MPI_Type_free(MPI_Datatype *type)
{
    return freed(PMPI_Type_free(type), &n_types);
}

int MPI_Finalize(void)
{
    if (n_requests || n_communicators || n_operations || n_types)
        (void)fprintf(stderr,
                      "MPI handles left: %ld requests, %ld communicators, %ld operations, %ld "
                      "types\n",
                      n_requests, n_communicators, n_operations, n_types);
    else
        (void)fputs("MPI handles left: none\n", stderr);
    return PMPI_Finalize();
}
