typedef int nas_placeholder_t;
