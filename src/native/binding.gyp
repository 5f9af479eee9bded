{
  'targets': [
    {
      'target_name': 'accelerator',
      'sources': ['accelerator.cc'],
      'defines': ['NAPI_VERSION=8'],
      'cflags': ['-Wall', '-Wextra'],
      # A Node that lacks one of the functions refuses the file when it is loaded, instead of ending at the first call.
      'conditions': [['OS == "linux"', { 'ldflags': ['-Wl,-z,now'] }]],
    },
  ],
}
