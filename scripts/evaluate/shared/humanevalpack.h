// Not <cstring> nor <boost/any.hpp>: with them the tests of CPP/23 call C's strlen instead of the solution.
#include <stdlib.h>
#include <algorithm>
#include <math.h>
#include <stdio.h>
#include <vector>
#include <string>
#include <climits>
#include <iostream>
#include <cassert>
#include <map>
#include <set>
using namespace std;
