/* A library with NVML's functions and two GPUs, the second of which does not tell its power; for the tests of the binding. */
typedef struct { unsigned int gpu, memory; } utilization_t;
typedef struct { unsigned long long total, free, used; } memory_t;
enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, DRIVER_NOT_LOADED = 9 };

static int devices[2] = {0, 1};
static int users = 0;

const char *nvmlErrorString(int status) { return status == NOT_SUPPORTED ? "Not Supported" : status == DRIVER_NOT_LOADED ? "Driver Not Loaded" : "Unknown"; }

#ifdef NO_DRIVER
int nvmlInit_v2(void) { return DRIVER_NOT_LOADED; }
#else
int nvmlInit_v2(void) { users++; return SUCCESS; }
#endif

int nvmlShutdown(void) { if (users <= 0) return UNINITIALIZED; users--; return SUCCESS; }

int fake_users(void) { return users; }

int nvmlDeviceGetCount_v2(unsigned int *count) {
    if (users <= 0) return UNINITIALIZED;
#ifdef NO_DEVICE
    *count = 0;
#else
    *count = 2;
#endif
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    if (users <= 0 || index > 1) return INVALID_ARGUMENT;
    *device = &devices[index];
    return SUCCESS;
}

static int number(void *device) { return users <= 0 || (device != &devices[0] && device != &devices[1]) ? -1 : *(int *)device; }

int nvmlDeviceGetUtilizationRates(void *device, utilization_t *found) {
    if (number(device) < 0) return INVALID_ARGUMENT;
    found->gpu = 75 + (unsigned int)number(device);
    found->memory = 33;
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(void *device, memory_t *found) {
    if (number(device) < 0) return INVALID_ARGUMENT;
    found->total = 80000000000ULL;
    found->used = 20000000000ULL;
    found->free = found->total - found->used;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts) {
    if (number(device) != 0) return NOT_SUPPORTED;
    *milliwatts = 350500;
    return SUCCESS;
}

int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned int *milliwatts) {
    if (number(device) != 0) return NOT_SUPPORTED;
    *milliwatts = 701000;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(void *device, int sensor, unsigned int *degrees) {
    if (number(device) < 0 || sensor != 0) return INVALID_ARGUMENT;
    *degrees = 64;
    return SUCCESS;
}
